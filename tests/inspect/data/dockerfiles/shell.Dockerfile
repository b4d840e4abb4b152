ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/debian:bookworm-slim
WORKDIR /app
COPY . .
USER 10001
CMD ["bash", "start.sh"]
