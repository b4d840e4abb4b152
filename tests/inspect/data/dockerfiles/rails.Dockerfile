ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/ruby:3.4-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential pkg-config git libyaml-0-2 libyaml-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV BUNDLE_PATH=/bundle BUNDLE_WITHOUT=development:test BUNDLE_DEPLOYMENT=1 RACK_ENV=production RAILS_ENV=production
COPY Gemfile Gemfile.lock ./
RUN --mount=type=cache,target=/bundle/cache bundle install
COPY . .

FROM ${REGISTRY}/ruby:3.4-slim
RUN apt-get update && apt-get install -y --no-install-recommends libyaml-0-2 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV BUNDLE_PATH=/bundle BUNDLE_WITHOUT=development:test BUNDLE_DEPLOYMENT=1 RACK_ENV=production RAILS_ENV=production RAILS_LOG_TO_STDOUT=1 RAILS_SERVE_STATIC_FILES=1
COPY --from=build /bundle /bundle
COPY --from=build --chown=10001:10001 /app /app
ENV PORT=3000
USER 10001
EXPOSE 3000
CMD ["sh", "-c", "exec bundle exec bin/rails server -b 0.0.0.0 -p $PORT"]
