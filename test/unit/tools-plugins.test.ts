import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Network } from "../../tools/network.ts";
import { choosePlugins, type Plugin } from "../../tools/plugins.ts";
import { program, scratchFolder } from "./tools-fixtures.ts";

const offline: Network = { unreachable: async () => "get.pulumi.com does not answer (ENOTFOUND)" };
const online: Network = { unreachable: async () => undefined };

function setup({ network = offline, pulumiFails = false } = {}) {
  const root = scratchFolder();
  const pulumiHome = join(root, "home");
  const standIns = join(root, "checkout/rehearsal/plugins/bin");
  for (const name of ["random", "command", "kubernetes"]) program(join(standIns, `pulumi-resource-${name}`), "echo 0");
  const pulumi = program(
    join(root, "pulumi"),
    pulumiFails
      ? `echo "$*" >> ${root}/installs; echo 'error: no plugin' >&2; exit 255`
      : `echo "$*" >> ${root}/installs; mkdir -p "$PULUMI_HOME/plugins/resource-$4-v$5"`,
  );
  let questions = 0;
  const counted: Network = {
    unreachable: (url) => {
      questions += 1;
      return network.unreachable(url);
    },
  };
  const choose = (more: { retry?: boolean; path?: string } = {}) =>
    choosePlugins({
      ...{ pulumi, pulumiHome, standIns, cache: join(root, "cache"), network: counted, progress: () => {} },
      env: { PATH: `${more.path ?? ""}:/usr/bin:/bin` },
      retry: more.retry ?? false,
    });
  const installs = () => readFileSync(join(root, "installs"), "utf8").trim().split("\n");
  return { root, pulumiHome, standIns, choose, installs, questions: () => questions };
}

const officials = (plugins: Plugin[]) => plugins.filter(({ official }) => official).map(({ name }) => name);
const folders = (plugins: Plugin[]) => [...new Set(plugins.flatMap(({ pathDir }) => pathDir ?? []))];

describe("an official plugin wins wherever there is one", () => {
  test("installed in the exact version", async () => {
    const { pulumiHome, choose } = setup();
    mkdirSync(join(pulumiHome, "plugins/resource-random-v4.21.2"), { recursive: true });
    mkdirSync(join(pulumiHome, "plugins/resource-command-v1.0.0"), { recursive: true });
    expect(officials(await choose())).toEqual(["random"]);
  });

  test("half installed counts as not there", async () => {
    const { pulumiHome, choose } = setup();
    mkdirSync(join(pulumiHome, "plugins/resource-random-v4.21.2"), { recursive: true });
    writeFileSync(join(pulumiHome, "plugins/resource-random-v4.21.2.partial"), "");
    expect(officials(await choose())).toEqual([]);
  });

  test("on PATH", async () => {
    const { root, choose } = setup();
    program(join(root, "user/pulumi-resource-command"), "echo 0");
    expect(officials(await choose({ path: join(root, "user") }))).toEqual(["command"]);
  });

  test("our own stand-ins on PATH are no official ones", async () => {
    const { standIns, choose } = setup();
    const [folder] = folders(await choose());
    expect(officials(await choose({ path: `${folder}:${standIns}` }))).toEqual([]);
  });

  test("installed from the network where that answers, once", async () => {
    const { choose, installs } = setup({ network: online });
    expect(officials(await choose())).toEqual(["random", "command", "kubernetes"]);
    expect(officials(await choose())).toEqual(["random", "command", "kubernetes"]);
    expect(installs()).toEqual([
      "plugin install resource random 4.21.2",
      "plugin install resource command 1.2.1",
      "plugin install resource kubernetes 4.34.2",
    ]);
  });
});

describe("our stand-ins take the place of the others", () => {
  test("the folder for PATH holds those in use and no other, for one on PATH would win over the official one", async () => {
    const { root, choose } = setup();
    program(join(root, "user/pulumi-resource-command"), "echo 0");
    const plugins = await choose({ path: join(root, "user") });
    expect(folders(plugins).map((folder) => readdirSync(folder))).toEqual([
      ["pulumi-resource-kubernetes", "pulumi-resource-random"],
    ]);
    expect(plugins.find(({ name }) => name === "command")).not.toHaveProperty("pathDir");
  });

  test("why is told", async () => {
    const { choose } = setup({ network: online, pulumiFails: true });
    expect((await choose())[0]?.why).toBe("pulumi plugin install failed (error: no plugin)");
  });

  test("the network is asked once a day, or when told to", async () => {
    const { choose, questions } = setup();
    await choose();
    expect(questions()).toBe(3);
    const again = await choose();
    expect(questions()).toBe(3);
    expect(again[0]?.why).toMatch(/^get.pulumi.com does not answer \(ENOTFOUND\), at 20.*Z \(--retry asks again\)$/);
    await choose({ retry: true });
    expect(questions()).toBe(6);
  });
});
