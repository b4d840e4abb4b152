ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/rust:1-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN --mount=type=cache,target=/usr/local/cargo/registry mkdir src && touch src/lib.rs && cargo fetch --locked && rm src/lib.rs
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target cargo build --release --locked && install -D target/release/hello /out/hello

FROM ${REGISTRY}/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /out/hello /app/hello
ENV PORT=3000
USER 10001
EXPOSE 3000
CMD ["./hello"]
