ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/dart:3 AS build
WORKDIR /src
COPY pubspec.yaml ./
RUN --mount=type=cache,target=/root/.pub-cache dart pub get
COPY . .
RUN --mount=type=cache,target=/root/.pub-cache dart pub global activate dart_frog_cli && dart pub global run dart_frog_cli:dart_frog build && dart pub get && dart compile exe build/bin/server.dart -o /out/server

FROM ${REGISTRY}/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /out/server /app/server
ENV PORT=8080
USER 10001
EXPOSE 8080
CMD ["./server"]
