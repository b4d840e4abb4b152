ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/ruby:3.4-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential pkg-config && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV BUNDLE_PATH=/bundle BUNDLE_WITHOUT=development:test BUNDLE_DEPLOYMENT=1 RACK_ENV=production RAILS_ENV=production
COPY Gemfile Gemfile.lock ./
RUN --mount=type=cache,target=/bundle/cache bundle install
COPY . .

FROM ${REGISTRY}/ruby:3.4-slim
WORKDIR /app
ENV BUNDLE_PATH=/bundle BUNDLE_WITHOUT=development:test BUNDLE_DEPLOYMENT=1 RACK_ENV=production RAILS_ENV=production RAILS_LOG_TO_STDOUT=1 RAILS_SERVE_STATIC_FILES=1
COPY --from=build /bundle /bundle
COPY --from=build --chown=10001:10001 /app /app
ENV PORT=2300
USER 10001
EXPOSE 2300
CMD ["sh", "-c", "exec bundle exec puma -b tcp://0.0.0.0:$PORT"]
