ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/node:22-slim
RUN --mount=type=cache,target=/root/.npm npm install --global deno@2
WORKDIR /app
ENV DENO_DIR=/app/.deno
COPY deno.json ./
COPY . .
RUN deno cache main.ts
RUN mkdir -p .deno && chown -R 1000 .deno
ENV PORT=8000
USER 1000
EXPOSE 8000
CMD ["deno", "run", "--allow-all", "main.ts"]
