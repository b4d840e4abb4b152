"""Small applications that are really built and run: each answers HTTP with a word that its dependency gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Buildable:
    """An application, the stand-in bases its Dockerfile takes, and what its answer must hold.

    `lock` is the command by which its author locks the dependencies, in the first base; empty where files hold a lock.
    """

    files: Mapping[str, str]
    bases: tuple[str, ...]
    answer: str
    lock: tuple[str, ...] = ()


_PYTHON = Buildable(
    {
        "requirements.txt": "flask\ngunicorn\n",
        "main.py": 'from flask import Flask, __name__ as framework\n\napp = Flask(__name__)\n\n\n@app.get("/")\n'
        'def hello():\n    return f"hello from {framework}"\n',
    },
    ("python",),
    "hello from flask",
)
_LOCK = {
    "name": "hello",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "requires": True,
    "packages": {
        "": {"name": "hello", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}},
        "node_modules/ms": {
            "version": "2.1.3",
            "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq"
            "/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
        },
    },
}
_NODE = Buildable(
    {
        "package.json": json.dumps(
            {
                "name": "hello",
                "version": "1.0.0",
                "scripts": {"start": "node server.js"},
                "dependencies": {"ms": "2.1.3"},
            }
        ),
        "package-lock.json": json.dumps(_LOCK),
        "server.js": "const ms = require('ms');\n"
        "require('http').createServer((_, reply) => reply.end(`a day is ${ms('1 day')}`))"
        ".listen(process.env.PORT || 3000, '0.0.0.0');\n",
    },
    ("node",),
    "a day is 86400000",
)
_VITE = Buildable(
    {
        "package.json": json.dumps({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "5.4.21"}}),
        "index.html": '<title>built</title><script type="module" src="/main.js"></script>\n',
        "main.js": 'document.title = "built by vite"\n',
    },
    ("node", "nginx"),
    "/assets/index-",
)
_GO = Buildable(
    {
        "go.mod": "module example.com/hello\n\ngo 1.19\n\nrequire (\n\texample.com/greeter v0.0.0\n"
        "\tgithub.com/gorilla/mux v1.8.0\n)\n\nreplace example.com/greeter => ./greeter\n",
        "greeter/go.mod": "module example.com/greeter\n\ngo 1.19\n",
        "greeter/greeter.go": 'package greeter\n\nfunc Greet() string { return "hello from greeter" }\n',
        "main.go": 'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n\t"os"\n\n\t"example.com/greeter"\n'
        '\t"github.com/gorilla/mux"\n)\n\n'
        "func main() {\n\trouter := mux.NewRouter()\n"
        '\trouter.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, greeter.Greet()) })\n'
        '\tport := os.Getenv("PORT")\n\tif port == "" {\n\t\tport = "8080"\n\t}\n'
        '\thttp.ListenAndServe(":"+port, router)\n}\n',
    },
    ("go", "debian"),
    "hello from greeter",
)
_JAVA = Buildable(
    {
        "settings.gradle": "rootProject.name = 'hello'\ninclude 'greeter'\n",
        "build.gradle": "apply plugin: 'java'\nsourceCompatibility = 17\n"
        "repositories { maven { url 'file:///usr/share/maven-repo' } }\n"
        "dependencies { compile project(':greeter'), 'com.google.code.gson:gson:debian' }\n"
        "jar {\n  manifest { attributes 'Main-Class': 'demo.Main' }\n"
        "  from { configurations.compile.collect { it.isDirectory() ? it : zipTree(it) } }\n}\n",
        "greeter/build.gradle": "apply plugin: 'java'\n",
        "greeter/src/main/java/greeter/Greeter.java": "package greeter;\n\npublic class Greeter {\n"
        '  public static String greet() { return "hello from greeter"; }\n}\n',
        "src/main/java/demo/Main.java": "package demo;\n\nimport com.sun.net.httpserver.HttpServer;\n"
        "import java.net.InetSocketAddress;\n\npublic class Main {\n"
        "  public static void main(String[] args) throws Exception {\n"
        '    int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));\n'
        "    HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);\n"
        '    server.createContext("/", exchange -> {\n'
        "      byte[] body = new com.google.gson.Gson().toJson(greeter.Greeter.greet()).getBytes();\n"
        "      exchange.sendResponseHeaders(200, body.length);\n"
        "      exchange.getResponseBody().write(body);\n      exchange.close();\n    });\n"
        "    server.start();\n  }\n}\n",
    },
    ("java",),
    "hello from greeter",
)
_RUBY = Buildable(
    {
        ".ruby-version": "3.1\n",
        "Gemfile": 'source "https://rubygems.org"\n\n'
        'gem "greeter", path: "vendor/greeter"\ngem "mustermann", "~> 3.0"\n',
        "vendor/greeter/greeter.gemspec": "Gem::Specification.new do |s|\n  s.name = 'greeter'\n  s.version = '0.1.0'\n"
        "  s.summary = 'greets'\n  s.authors = ['x']\n  s.files = ['lib/greeter.rb']\nend\n",
        "vendor/greeter/lib/greeter.rb": 'module Greeter\n  def self.greet = "hello from greeter"\nend\n',
        "app.rb": 'require "socket"\nrequire "greeter"\nrequire "mustermann"\n\n'
        'route = Mustermann.new("/greet/:name")\n'
        'server = TCPServer.new("0.0.0.0", Integer(ENV.fetch("PORT", "4567")))\n'
        'loop do\n  client = server.accept\n  client.gets\n  body = Greeter.greet + route.expand(name: "mustermann")\n'
        '  client.write "HTTP/1.1 200 OK\\r\\nContent-Length: #{body.bytesize}\\r\\n"\n'
        '  client.write "Connection: close\\r\\n\\r\\n#{body}"\n'
        "  client.close\nend\n",
    },
    ("ruby",),
    "hello from greeter/greet/mustermann",
    ("bundle", "lock"),
)
_PHP = Buildable(
    {
        "composer.json": json.dumps(
            {
                "name": "demo/hello",
                "require": {"php": "8.2.*", "demo/greeter": "*", "monolog/monolog": "^2.9"},
                "repositories": [{"type": "path", "url": "packages/greeter", "options": {"symlink": False}}],
            }
        ),
        "packages/greeter/composer.json": json.dumps(
            {"name": "demo/greeter", "version": "1.0.0", "autoload": {"psr-4": {"Greeter\\": "src/"}}}
        ),
        "packages/greeter/src/Greeter.php": "<?php\nnamespace Greeter;\n\nclass Greeter\n{\n"
        "    public static function greet(): string { return 'hello from greeter'; }\n}\n",
        "public/index.php": "<?php\nrequire __DIR__ . '/../vendor/autoload.php';\n"
        "echo Greeter\\Greeter::greet(), ' at level ', Monolog\\Logger::getLevelName(Monolog\\Logger::WARNING);\n",
    },
    ("php",),
    "hello from greeter at level WARNING",
    ("composer", "update", "--no-install", "--no-interaction"),
)
_RUST = Buildable(
    {
        "Cargo.toml": '[package]\nname = "hello"\nversion = "0.1.0"\nedition = "2021"\n\n'
        '[dependencies]\ngreeter = { path = "greeter" }\nitoa = "1.0"\n',
        "Cargo.lock": 'version = 3\n\n[[package]]\nname = "greeter"\nversion = "0.1.0"\n\n[[package]]\nname = "hello"\n'
        'version = "0.1.0"\ndependencies = [\n "greeter",\n "itoa",\n]\n\n[[package]]\nname = "itoa"\n'
        'version = "1.0.1"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n'
        'checksum = "1aab8fc367588b89dcee83ab0fd66b72b50b72fa1904d7095045ace2b0c81c35"\n',
        "greeter/Cargo.toml": '[package]\nname = "greeter"\nversion = "0.1.0"\nedition = "2021"\n',
        "greeter/src/lib.rs": 'pub fn greet() -> &\'static str {\n    "hello from greeter"\n}\n',
        "src/main.rs": "use std::io::{Read, Write};\nuse std::net::TcpListener;\n\nfn main() {\n"
        '    let port = std::env::var("PORT").unwrap_or("8080".into());\n'
        '    let listener = TcpListener::bind(format!("0.0.0.0:{port}")).unwrap();\n'
        "    for stream in listener.incoming() {\n        let mut stream = stream.unwrap();\n"
        "        let _ = stream.read(&mut [0; 1024]);\n        let body = greeter::greet();\n"
        '        let head = "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length:";\n'
        "        let mut digits = itoa::Buffer::new();\n"
        '        let _ = write!(stream, "{head} {}\\r\\n\\r\\n{}", digits.format(body.len()), body);\n    }\n}\n',
    },
    ("rust", "debian"),
    "hello from greeter",
)
_STATIC = Buildable({"index.html": "<h1>plain files</h1>\n", "about.html": "about\n"}, ("nginx",), "plain files")

_WORKSPACE = Buildable(
    {
        "package.json": json.dumps({"private": True, "workspaces": ["apps/*", "packages/*"]}),
        "packages/greeter/package.json": json.dumps({"name": "greeter", "version": "1.0.0", "main": "index.js"}),
        "packages/greeter/index.js": "module.exports = 'hello from greeter'\n",
        "apps/api/package.json": json.dumps(
            {"name": "api", "scripts": {"start": "node server.js"}, "dependencies": {"greeter": "*", "ms": "2.1.3"}}
        ),
        "apps/api/server.js": "require('ms');\nconst greeting = require('greeter');\n"
        "require('http').createServer((_, reply) => reply.end(greeting)).listen(process.env.PORT || 3000);\n",
    },
    ("node",),
    "hello from greeter",
)
_UV = Buildable(
    {
        "pyproject.toml": '[project]\nname = "hello"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        'dependencies = ["flask", "gunicorn"]\n\n[tool.uv]\npackage = false\n',
        "main.py": _PYTHON.files["main.py"],
    },
    ("python",),
    "hello from flask",
)

BUILDABLE: Mapping[str, Buildable] = {
    "python": _PYTHON,
    "uv": _UV,
    "workspace": _WORKSPACE,
    "node": _NODE,
    "vite": _VITE,
    "go": _GO,
    "java": _JAVA,
    "ruby": _RUBY,
    "php": _PHP,
    "rust": _RUST,
    "static": _STATIC,
}
