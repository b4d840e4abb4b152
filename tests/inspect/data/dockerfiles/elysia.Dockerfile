ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/node:22-slim AS build
WORKDIR /app
RUN --mount=type=cache,target=/root/.npm npm install --global bun@latest
COPY package.json bun.lock ./
RUN --mount=type=cache,target=/root/.bun/install/cache bun install --frozen-lockfile
COPY . .

FROM ${REGISTRY}/node:22-slim
RUN --mount=type=cache,target=/root/.npm npm install --global bun@1
WORKDIR /app
ENV PATH="/app/node_modules/.bin:$PATH"
ENV NODE_ENV=production HOST=0.0.0.0 HOSTNAME=0.0.0.0
COPY --from=build /app /app
ENV PORT=3000
USER 1000
EXPOSE 3000
CMD ["bun", "src/index.ts"]
