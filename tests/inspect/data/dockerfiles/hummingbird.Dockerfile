ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/swift:6.1-jammy AS build
WORKDIR /src
COPY Package.swift ./
RUN --mount=type=cache,target=/root/.cache swift package resolve
COPY . .
RUN --mount=type=cache,target=/root/.cache swift build -c release --static-swift-stdlib --product App && install -D .build/release/App /out/App

FROM ${REGISTRY}/ubuntu:22.04
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata libxml2 libcurl4 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /out/App /app/App
ENV PORT=8080
USER 10001
EXPOSE 8080
CMD ["sh", "-c", "exec ./App --hostname 0.0.0.0 --port $PORT"]
