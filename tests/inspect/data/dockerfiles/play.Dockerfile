ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/eclipse-temurin:21-jdk AS build
ADD https://repo1.maven.org/maven2/org/scala-sbt/sbt-launch/1.10.11/sbt-launch-1.10.11.jar /usr/local/lib/sbt-launch.jar
WORKDIR /src
COPY build.sbt ./
COPY project ./project
RUN --mount=type=cache,target=/root/.sbt --mount=type=cache,target=/root/.ivy2 --mount=type=cache,target=/root/.cache/coursier java -jar /usr/local/lib/sbt-launch.jar update
COPY . .
RUN --mount=type=cache,target=/root/.sbt --mount=type=cache,target=/root/.ivy2 --mount=type=cache,target=/root/.cache/coursier java -jar /usr/local/lib/sbt-launch.jar stage
RUN mkdir /out && cp -r target/universal/stage/. /out/

FROM ${REGISTRY}/eclipse-temurin:21-jre
WORKDIR /app
COPY --from=build /out/ /app/
ENV PORT=9000
USER 10001
EXPOSE 9000
CMD ["sh", "-c", "exec ./bin/hello -Dhttp.port=$PORT -Dpidfile.path=/dev/null"]
