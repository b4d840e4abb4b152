ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/php:8.4-apache
RUN sed -ri 's!^Listen .*!Listen ${PORT}!' /etc/apache2/ports.conf && sed -ri 's!<VirtualHost .*>!<VirtualHost *:${PORT}>!' /etc/apache2/sites-available/*.conf && sed -ri 's!/var/www/html!/var/www/html!g' /etc/apache2/sites-available/*.conf && a2enmod rewrite
WORKDIR /var/www/html
COPY . ./
ENV PORT=8080
USER 33
EXPOSE 8080
CMD ["apache2-foreground"]
