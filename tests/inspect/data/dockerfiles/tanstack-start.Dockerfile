ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npm run build
RUN --mount=type=cache,target=/root/.npm npm prune --omit=dev

FROM ${REGISTRY}/node:22-slim
WORKDIR /app
ENV PATH="/app/node_modules/.bin:$PATH"
ENV NODE_ENV=production HOST=0.0.0.0 HOSTNAME=0.0.0.0
COPY --from=build /app /app
ENV PORT=3000
USER 1000
EXPOSE 3000
CMD ["node", ".output/server/index.mjs"]
