# Shipmate itself. Build: docker build -t shipmate .   Run: see README.md
ARG REGISTRY=public.ecr.aws/docker/library
FROM ${REGISTRY}/python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY bot bot
COPY handlers handlers
COPY storage storage
COPY aws aws
RUN python -m venv /opt/shipmate && /opt/shipmate/bin/pip install --no-cache-dir -c constraints.txt '.[lambda]'

FROM ${REGISTRY}/python:3.13-slim
RUN apt-get update && apt-get install -y --no-install-recommends fonts-dejavu-core git && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/shipmate /opt/shipmate
ENV PATH=/opt/shipmate/bin:$PATH HOST=0.0.0.0 PORT=8080 SHIPMATE_WORKDIR=/var/lib/shipmate \
    DATABASE_URL=sqlite:////var/lib/shipmate/shipmate.db PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --create-home shipmate && install -d -o 10001 -g 10001 /var/lib/shipmate
USER 10001
VOLUME /var/lib/shipmate
EXPOSE 8080
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=3)"]
CMD ["shipmate", "serve"]
