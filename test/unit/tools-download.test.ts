import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { download, findSum } from "../../tools/download.ts";
import { openNetwork } from "../../tools/network.ts";
import type { Download, Tool } from "../../tools/table.ts";
import { program, type Site, scratchFolder, serveSite, tool } from "./tools-fixtures.ts";

const platform = { os: "linux", arch: "amd64" };
const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");
const other = sha256("something else");

describe("a vendor's list of checksums", () => {
  test.each([
    ["one hash alone", `${other}\n`, other],
    ["lines of hash and name", `${sha256("x")}  y.tgz\n${other}  tool.tgz\n`, other],
    ["names marked as binary", `${other} *tool.tgz`, other],
    ["capital letters", `${other.toUpperCase()}  tool.tgz`, other],
    ["one line for another file", `${other}  tool.tgz.asc`, undefined],
    ["a file that ends alike", `${other}  mytool.tgz\n${other}  tool.tgz.sig`, undefined],
    ["a web page", "<html>Not found</html>", undefined],
    ["nothing", "", undefined],
  ])("%s", (_case, list, expected) => {
    expect(findSum(list, "tool.tgz")).toBe(expected);
  });
});

describe("a download", () => {
  const binary = "#!/bin/sh\necho 1.2.3\n";
  let site: Site;
  let into: string;
  beforeAll(async () => {
    site = await serveSite({
      "/kind": binary,
      "/kind.sha256": sha256(binary),
      "/wrong": binary,
      "/wrong.sha256": other,
      "/none.sha256": "",
      "/none": binary,
      "/pulumi.tgz": pulumiArchive(),
    });
  });
  afterAll(() => site.close());
  beforeEach(() => {
    into = scratchFolder();
    site.asked.length = 0;
  });

  const from = (path: string, more: Partial<Download> = {}): Tool =>
    tool("kind", { download: { url: () => `${site.origin}${path}`, ...more } });
  const published = (path: string): Tool => from(path, { publishedSums: () => `${site.origin}${path}.sha256` });
  const fetched = (wanted: Tool, network = openNetwork()) =>
    download(wanted, { platform, into, network, onStart: () => {} });

  test("that fits the table's checksum is kept, ready to run", async () => {
    await expect(fetched(from("/kind", { sha256: { "linux-amd64": sha256(binary) } }))).resolves.toBe(
      "official download, checksum as in tools/table.ts",
    );
    expect(readFileSync(join(into, "kind"), "utf8")).toBe(binary);
    expect(statSync(join(into, "kind")).mode & 0o777).toBe(0o755);
    expect(readdirSync(into)).toEqual(["kind"]);
  });

  test("that fits the published checksum is kept, and says whose word that is", async () => {
    await expect(fetched(published("/kind"))).resolves.toBe(
      `official download, checksum as published by ${new URL(site.origin).host}`,
    );
  });

  test("that does not fit the table's checksum is refused, whatever the vendor's list says, and nothing of it stays", async () => {
    const wanted = from("/kind", {
      sha256: { "linux-amd64": other },
      publishedSums: () => `${site.origin}/kind.sha256`,
    });
    await expect(fetched(wanted)).rejects.toThrow(`was refused: its SHA-256 is ${sha256(binary)}, not ${other}`);
    expect(readdirSync(into)).toEqual([]);
    expect(site.asked).toEqual(["/kind"]);
  });

  test.each([
    ["does not fit the published checksum", "/wrong", "was refused"],
    ["is not in the published list", "/none", "has no checksum of none"],
    ["is not there", "/missing", "answered 404"],
  ])("that %s cannot be had", async (_case, path, reason) => {
    await expect(fetched(published(path))).rejects.toThrow(reason);
    expect(readdirSync(into)).toEqual([]);
  });

  test("that breaks off cannot be had, and no half of it stays", async () => {
    const cut = createServer((_request, response) => {
      response.writeHead(200, { "content-length": "1000" }).write("half");
      setTimeout(() => response.destroy(), 20);
    });
    await new Promise<void>((ready) => cut.listen(0, "127.0.0.1", ready));
    const url = `http://127.0.0.1:${(cut.address() as AddressInfo).port}/kind`;
    const wanted = tool("kind", { download: { url: () => url, sha256: { "linux-amd64": other } } });
    try {
      await expect(fetched(wanted, { unreachable: async () => undefined })).rejects.toThrow(`${url} broke off: `);
      expect(readdirSync(into)).toEqual([]);
    } finally {
      cut.close();
    }
  });

  test("without any checksum is not even begun", async () => {
    await expect(fetched(from("/kind", { sha256: { "darwin-arm64": other } }))).rejects.toThrow(
      "no checksum is known for the linux-amd64 download",
    );
    expect(site.asked).toEqual([]);
  });

  test("of an archive keeps the tool and what belongs to it, and throws the rest away", async () => {
    const archive = from("/pulumi.tgz", {
      folder: () => "pulumi",
      alsoKeep: /^pulumi-language-nodejs/,
      sha256: { "linux-amd64": sha256(pulumiArchive()) },
    });
    const companion = { name: "pulumi-language-nodejs", version: "1", build: archive.build };
    await fetched({ ...archive, name: "pulumi", companion });
    expect(readdirSync(into).sort()).toEqual(["pulumi", "pulumi-language-nodejs"]);
  });

  test("of an archive that lacks the program is refused", async () => {
    const archive = from("/pulumi.tgz", {
      folder: () => "pulumi",
      sha256: { "linux-amd64": sha256(pulumiArchive()) },
    });
    await expect(fetched(archive)).rejects.toThrow("the download holds no kind");
  });

  test("from a host that does not answer fails by one probe a run, with the reason", async () => {
    const gone = await serveSite({});
    await gone.close();
    const wanted = tool("kind", { download: { url: () => `${gone.origin}/kind`, sha256: { "linux-amd64": other } } });
    const network = openNetwork();
    const reason = `${new URL(gone.origin).host} does not answer (ECONNREFUSED)`;
    await expect(fetched(wanted, network)).rejects.toThrow(reason);
    // Though it answers now, this run has its answer already.
    const back = await serveSite({ "/kind": binary });
    try {
      await expect(network.unreachable(`${gone.origin}/other`)).resolves.toBe(reason);
      await expect(network.unreachable(back.origin)).resolves.toBeUndefined();
    } finally {
      await back.close();
    }
  });
});

let archive: Buffer | undefined;
/** A .tar.gz as Pulumi's: a folder with the tool, its language hosts and more. */
function pulumiArchive(): Buffer {
  if (archive) return archive;
  const folder = scratchFolder();
  mkdirSync(join(folder, "pulumi"));
  for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-language-python"])
    program(join(folder, "pulumi", name), "echo 1.2.3");
  archive = spawnSync("tar", ["-czf", "-", "-C", folder, "pulumi"]).stdout;
  return archive;
}
