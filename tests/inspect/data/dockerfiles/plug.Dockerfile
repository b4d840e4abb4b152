ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/elixir:1.18-otp-27-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential git ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /src
ENV MIX_ENV=prod
RUN mix local.hex --force && mix local.rebar --force
COPY mix.exs mix.lock ./
RUN --mount=type=cache,target=/root/.cache mix deps.get --only prod
RUN mix deps.compile
COPY . .
RUN mix release

FROM ${REGISTRY}/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libncurses6 libstdc++6 openssl && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV LANG=C.UTF-8 PHX_SERVER=true MIX_ENV=prod
COPY --from=build --chown=10001:10001 /src/_build/prod/rel/hello/ /app/
ENV PORT=4000
USER 10001
EXPOSE 4000
CMD ["./bin/hello", "start"]
