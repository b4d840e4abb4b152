ARG REGISTRY=public.ecr.aws/docker/library
ARG DOTNET_REGISTRY=mcr.microsoft.com/dotnet

FROM ${DOTNET_REGISTRY}/sdk:8.0 AS build
WORKDIR /src
COPY Hello.csproj ./Hello.csproj
RUN --mount=type=cache,target=/root/.nuget/packages dotnet restore Hello.csproj
COPY . .
RUN --mount=type=cache,target=/root/.nuget/packages dotnet publish Hello.csproj -c Release -o /out

FROM ${DOTNET_REGISTRY}/aspnet:8.0
WORKDIR /app
COPY --from=build /out/ /app/
ENV PORT=8080
USER 1654
EXPOSE 8080
CMD ["sh", "-c", "exec dotnet Hello.dll --urls http://0.0.0.0:$PORT"]
