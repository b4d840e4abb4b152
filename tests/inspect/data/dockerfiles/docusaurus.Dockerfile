ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npm run build

FROM ${REGISTRY}/nginx:1-alpine
RUN printf '%s\n' \
      'daemon off;' \
      'pid /tmp/nginx.pid;' \
      'error_log /dev/stderr warn;' \
      'events {}' \
      'http {' \
      '  include /etc/nginx/mime.types;' \
      '  default_type application/octet-stream;' \
      '  access_log /dev/stdout;' \
      '  sendfile on;' \
      '  gzip on;' \
      '  gzip_types text/css text/plain application/javascript application/json image/svg+xml;' \
      '  client_body_temp_path /tmp/body;' \
      '  proxy_temp_path /tmp/proxy;' \
      '  fastcgi_temp_path /tmp/fastcgi;' \
      '  uwsgi_temp_path /tmp/uwsgi;' \
      '  scgi_temp_path /tmp/scgi;' \
      '  server {' \
      '    listen __PORT__;' \
      '    root /srv/site;' \
      '    absolute_redirect off;' \
      '    location / { try_files $uri $uri/ $uri.html =404; }' \
      '  }' \
      '}' \
      > /etc/nginx/site.conf
COPY --from=build /app/build/ /srv/site/
ENV PORT=8080
USER 101
EXPOSE 8080
CMD ["sh", "-c", "sed s/__PORT__/$PORT/ /etc/nginx/site.conf > /tmp/nginx.conf && exec nginx -c /tmp/nginx.conf"]
