ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/rust:1-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN --mount=type=cache,target=/usr/local/cargo/registry mkdir src && touch src/lib.rs && cargo fetch --locked && rm src/lib.rs
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target cargo build --release --locked && install -D target/release/hello /out/hello

FROM ${REGISTRY}/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV ROCKET_ADDRESS=0.0.0.0
WORKDIR /app
COPY --from=build /out/hello /app/hello
ENV PORT=8000
USER 10001
EXPOSE 8000
CMD ["sh", "-c", "exec env ROCKET_PORT=$PORT ./hello"]
