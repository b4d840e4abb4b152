ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/node:22-slim AS build
WORKDIR /app
RUN --mount=type=cache,target=/root/.npm npm install --global --force corepack && corepack enable && corepack prepare yarn@4.6.0 --activate
COPY package.json yarn.lock package-lock.json ./
RUN --mount=type=cache,target=/usr/local/share/.cache/yarn yarn install --immutable
COPY . .
RUN yarn rw build

FROM ${REGISTRY}/node:22-slim
RUN --mount=type=cache,target=/root/.npm npm install --global --force corepack && corepack enable && corepack prepare yarn@4.6.0 --activate
WORKDIR /app
ENV PATH="/app/node_modules/.bin:$PATH"
ENV NODE_ENV=production HOST=0.0.0.0 HOSTNAME=0.0.0.0
COPY --from=build /app /app
ENV PORT=8910
USER 1000
EXPOSE 8910
CMD ["yarn", "rw", "serve"]
