ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/python:3.13-slim AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 VIRTUAL_ENV=/venv PATH="/venv/bin:$PATH"
RUN python -m venv /venv
COPY requirements.txt ./
RUN --mount=type=cache,target=/root/.cache pip install -r requirements.txt
COPY . .

FROM ${REGISTRY}/python:3.13-slim
WORKDIR /app
ENV PYTHONUNBUFFERED=1 VIRTUAL_ENV=/venv PATH="/venv/bin:$PATH"
COPY --from=build /venv /venv
COPY --from=build --chown=10001:10001 /app /app
ENV PORT=8501
USER 10001
EXPOSE 8501
CMD ["sh", "-c", "exec streamlit run app.py --server.address 0.0.0.0 --server.port $PORT --server.headless true"]
