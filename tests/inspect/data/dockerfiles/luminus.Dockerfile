ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/clojure:temurin-21-lein AS build
WORKDIR /src
COPY project.clj ./
RUN --mount=type=cache,target=/root/.m2 lein deps
COPY . .
RUN --mount=type=cache,target=/root/.m2 lein uberjar
RUN mkdir /out && cp "$(ls target/hello-0.1.0-standalone.jar | head -n 1)" /out/app.jar

FROM ${REGISTRY}/eclipse-temurin:21-jre
WORKDIR /app
COPY --from=build /out/app.jar /app/app.jar
ENV PORT=3000
USER 10001
EXPOSE 3000
CMD ["java", "-jar", "app.jar"]
