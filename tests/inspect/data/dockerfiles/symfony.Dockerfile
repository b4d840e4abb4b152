ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/composer:2 AS vendor
WORKDIR /app
COPY composer.json ./
RUN --mount=type=cache,target=/tmp/cache composer install --no-dev --no-interaction --prefer-dist --ignore-platform-reqs --no-scripts --no-autoloader
COPY . .
RUN composer dump-autoload --no-dev --optimize --no-scripts --ignore-platform-reqs

FROM ${REGISTRY}/php:8.4-apache
RUN sed -ri 's!^Listen .*!Listen ${PORT}!' /etc/apache2/ports.conf && sed -ri 's!<VirtualHost .*>!<VirtualHost *:${PORT}>!' /etc/apache2/sites-available/*.conf && sed -ri 's!/var/www/html!/var/www/html/public!g' /etc/apache2/sites-available/*.conf && a2enmod rewrite
WORKDIR /var/www/html
COPY . ./
COPY --from=vendor /app/vendor /var/www/html/vendor
ENV APP_ENV=prod APP_DEBUG=0
RUN mkdir -p var && chown -R 33 var
ENV PORT=8080
USER 33
EXPOSE 8080
CMD ["apache2-foreground"]
