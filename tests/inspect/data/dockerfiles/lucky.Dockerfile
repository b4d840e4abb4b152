ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/alpine:3 AS build
RUN apk add --no-cache crystal shards musl-dev gcc openssl-dev yaml-dev libxml2-dev zlib-dev gc-dev pcre2-dev
WORKDIR /src
COPY shard.yml ./
RUN --mount=type=cache,target=/root/.cache shards install --production
COPY . .
RUN --mount=type=cache,target=/root/.cache shards build --release --production hello

FROM ${REGISTRY}/alpine:3
RUN apk add --no-cache ca-certificates gc libevent libgcc openssl pcre2 tzdata yaml zlib libxml2
WORKDIR /app
COPY --from=build /src/bin/hello /app/hello
ENV PORT=3000
USER 10001
EXPOSE 3000
CMD ["./hello"]
