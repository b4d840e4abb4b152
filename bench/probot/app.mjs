// The peer of the ingress bench: a minimal Probot app that counts pushes, stores nothing and logs nothing.
import { readFileSync } from "node:fs";
import { pino } from "pino";
import { Probot, Server } from "probot";

let pushes = 0;
const log = pino({ level: "fatal" });
const settings = {
  appId: 1,
  privateKey: readFileSync(process.env.KEY_FILE, "utf8"),
  secret: process.env.SECRET,
  log,
  logLevel: "fatal",
};
const server = new Server({
  Probot: Probot.defaults(settings),
  log,
  port: Number(process.env.PORT),
  host: "127.0.0.1",
  webhookPath: "/webhook/github",
});
await server.load((app) => app.on("push", async () => { pushes += 1; }));
await server.start();
