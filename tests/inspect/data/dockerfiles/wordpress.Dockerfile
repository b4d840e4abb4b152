ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/php:8.4-apache
RUN docker-php-ext-install -j2 mysqli
RUN sed -ri 's!^Listen .*!Listen ${PORT}!' /etc/apache2/ports.conf && sed -ri 's!<VirtualHost .*>!<VirtualHost *:${PORT}>!' /etc/apache2/sites-available/*.conf && sed -ri 's!/var/www/html!/var/www/html!g' /etc/apache2/sites-available/*.conf && a2enmod rewrite
WORKDIR /var/www/html
COPY . ./
RUN mkdir -p wp-content && chown -R 33 wp-content
ENV PORT=8080
USER 33
EXPOSE 8080
CMD ["apache2-foreground"]
