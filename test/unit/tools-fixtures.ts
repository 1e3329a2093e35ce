import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Tool } from "../../tools/table.ts";

const scratch: string[] = [];
afterAll(() => {
  for (const folder of scratch) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the tests of the file have run. */
export function scratchFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "wirecloak-tools-")));
  scratch.push(folder);
  return folder;
}

export function program(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A tool as the table has them, from a module of that name; nothing of it exists anywhere. */
export function tool(name: string, more: Partial<Tool> = {}): Tool {
  const build = { module: "fake" as Tool["build"]["module"], package: `example.test/${name}` };
  return { name, version: "1.2.3", purposes: ["kind"], build, ...more };
}

export const fakeModules = { fake: { folder: "fake", stamps: { "example.test/version": "1.2.3" } } };

/** A project with one Go module, and a Go that pretends: it notes how it is called and "builds" programs that say 1.2.3. */
export interface FakeProject {
  root: string;
  cache: string;
  /** PATH with the fake Go, and the system's shell and tar. */
  path: string;
  /** The arguments of each `go build` so far. */
  builds: () => string[];
  /** The environment of the last `go build`. */
  environment: () => Record<string, string>;
  /** The folder where the fake Go looks for `hold` (it waits in the middle of a build while that exists) and makes `holding`. */
  control: string;
}

export function fakeProject({ goVersion = "go1.26.8" } = {}): FakeProject {
  const root = scratchFolder();
  const control = join(root, "control");
  mkdirSync(control);
  mkdirSync(join(root, "fake"));
  writeFileSync(join(root, "fake/go.mod"), "module example.test/fake\n\ngo 1.26.0\n");
  program(
    join(root, "bin/go"),
    `case "$1 $2" in
"env -json") echo '{"GOPROXY":"https://proxy.example.test","GOTOOLCHAIN":"local","GOFLAGS":"-mod=vendor"}'; exit;;
"env GOVERSION") echo ${goVersion}; exit;;
esac
echo "$*" >> ${control}/builds
env > ${control}/environment
while [ "$1" != -o ]; do shift; done
folder=$2
shift 2
for package; do echo half > "$folder/$(basename "$package")"; done
echo $$ > ${control}/holding
while [ -e ${control}/hold ]; do sleep 0.05; done
for package; do printf '#!/bin/sh\\necho 1.2.3\\n' > "$folder/$(basename "$package")"; chmod 755 "$folder/$(basename "$package")"; done`,
  );
  const lines = (file: string) => readFileSync(join(control, file), "utf8").trim().split("\n");
  return {
    root,
    cache: join(root, "cache"),
    path: `${join(root, "bin")}:/usr/bin:/bin`,
    control,
    builds: () => {
      try {
        return lines("builds");
      } catch {
        return [];
      }
    },
    environment: () =>
      Object.fromEntries(lines("environment").map((line) => line.split(/=(.*)/s, 2) as [string, string])),
  };
}

export interface Site {
  origin: string;
  /** Paths asked for, in order; probes (HEAD) not counted. */
  asked: string[];
  close: () => Promise<void>;
}

/** An "official site" on loopback: text or bytes by path, 404 for others. */
export async function serveSite(files: Record<string, string | Buffer>): Promise<Site> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (request.method !== "HEAD") asked.push(path);
    const content = files[path];
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((done) => {
      server.closeAllConnections();
      server.close(() => done());
    });
  return { origin: `http://127.0.0.1:${port}`, asked, close };
}
