ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/haskell:9.6-slim AS build
WORKDIR /src
COPY stack.yaml package.yaml ./
RUN --mount=type=cache,target=/root/.stack stack build --only-dependencies --system-ghc
COPY . .
RUN --mount=type=cache,target=/root/.stack mkdir -p bin && stack build --system-ghc --copy-bins --local-bin-path bin

FROM ${REGISTRY}/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libgmp10 libnuma1 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /src/bin/hello-exe /app/hello-exe
ENV PORT=3000
USER 10001
EXPOSE 3000
CMD ["./hello-exe"]
