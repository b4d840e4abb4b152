ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/maven:3-eclipse-temurin-21 AS build
WORKDIR /src
COPY pom.xml ./
RUN --mount=type=cache,target=/root/.m2 mvn -B -q dependency:go-offline
COPY . .
RUN --mount=type=cache,target=/root/.m2 mvn -B -DskipTests package
RUN mkdir /out && cp "$(ls target/demo-1.0.jar | grep -v -e '-plain[.]jar$' -e '-sources[.]jar$' -e '/original-' | head -n 1)" /out/app.jar

FROM ${REGISTRY}/eclipse-temurin:21-jre
WORKDIR /app
COPY --from=build /out/ /app/
ENV JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75
ENV PORT=8080
USER 10001
EXPOSE 8080
CMD ["sh", "-c", "exec java -Dserver.port=$PORT -jar app.jar"]
