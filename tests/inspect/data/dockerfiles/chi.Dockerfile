ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/golang:1.25-alpine AS build
WORKDIR /src
ENV CGO_ENABLED=0
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build go build -trimpath -tags timetzdata -ldflags='-s -w' -o /out/app .

FROM ${REGISTRY}/alpine:3
WORKDIR /app
COPY --from=build /out/app /app/out
ENV PORT=8080
USER 10001
EXPOSE 8080
CMD ["./out"]
