ARG REGISTRY=public.ecr.aws/docker/library

FROM ${REGISTRY}/gradle:8-jdk17 AS build
WORKDIR /src
COPY settings.gradle.kts build.gradle.kts ./
COPY . .
RUN --mount=type=cache,target=/root/.gradle gradle --no-daemon buildFatJar
RUN mkdir /out && cp "$(ls build/libs/*-all.jar | grep -v -e '-plain[.]jar$' -e '-sources[.]jar$' -e '/original-' | head -n 1)" /out/app.jar

FROM ${REGISTRY}/eclipse-temurin:17-jre
WORKDIR /app
COPY --from=build /out/ /app/
ENV JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75
ENV PORT=8080
USER 10001
EXPOSE 8080
CMD ["java", "-jar", "app.jar"]
