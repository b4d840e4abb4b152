ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential ninja-build pkg-config git ca-certificates cmake libdrogon-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && cmake --build build && install -D $(find build -type f -name hello -perm -u+x | head -n 1) /out/hello

FROM ${REGISTRY}/debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libstdc++6 libdrogon1.8 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /out/hello /app/hello
ENV PORT=80
USER 10001
EXPOSE 80
CMD ["./hello"]
