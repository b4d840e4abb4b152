ARG REGISTRY=public.ecr.aws/docker/library
ARG GLEAM_REGISTRY=ghcr.io/gleam-lang

FROM ${GLEAM_REGISTRY}/gleam:v1.13.0-erlang-alpine AS build
WORKDIR /src
COPY gleam.toml ./
RUN gleam deps download
COPY . .
RUN gleam export erlang-shipment

FROM ${REGISTRY}/erlang:27-alpine
WORKDIR /app
COPY --from=build /src/build/erlang-shipment/ /app/
ENV PORT=8000
USER 10001
EXPOSE 8000
CMD ["./entrypoint.sh", "run"]
