import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { hasSecret, hasUnknown, type PropertyMap, Secret, unknown } from "../../rehearsal/plugins/plugin/values.ts";
import { official, Plugin, type State, urnOf } from "./plugin.ts";

const command = { type: "command:local:Command", name: "cmd" };

describe("the command plugin", () => {
  let plugin: Plugin;
  let folder: string;
  beforeAll(async () => {
    plugin = await Plugin.start("command");
  });
  afterAll(() => plugin.stop());
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), "wirecloak-command-")));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A file of this test's own. */
  const file = (name: string) => path.join(folder, name);

  async function checked(news: PropertyMap, olds: PropertyMap = {}): Promise<PropertyMap> {
    const { inputs, failures } = await plugin.check(command, news, olds);
    expect(failures).toEqual([]);
    return inputs;
  }

  /** What the engine does for a new resource. */
  async function created(news: PropertyMap): Promise<State> {
    return plugin.create(command, await checked(news));
  }

  /** What the engine asks for a resource whose program has these arguments now. */
  async function diffTo(state: State, news: PropertyMap) {
    return plugin.diff(command, state, await checked(news, state.inputs));
  }

  async function updated(state: State, news: PropertyMap): Promise<State> {
    return plugin.update(command, state, await checked(news, state.inputs));
  }

  test("tells a version", async () => {
    expect(await plugin.version()).toMatch(/^v?1\.\d+\.\d+/);
  });

  describe("check", () => {
    test("lets the previous output into the environment unless told otherwise", async () => {
      expect((await checked({ create: "true" })).addPreviousOutputInEnv).toBe(true);
      expect((await checked({ create: "true", addPreviousOutputInEnv: false })).addPreviousOutputInEnv).toBe(false);
    });

    test.each<[string, PropertyMap]>([
      ["create", { create: ["a", "list"] }],
      ["interpreter", { create: "true", interpreter: "/bin/sh" }],
      ["environment", { create: "true", environment: "A=1" }],
      ["triggers", { create: "true", triggers: "1" }],
      ["addPreviousOutputInEnv", { create: "true", addPreviousOutputInEnv: "yes" }],
    ])("refuses a wrong type of %s, and names it", async (property, news) => {
      const { failures } = await plugin.check(command, news);
      expect(failures.map((failure) => failure.property)).toContain(property);
    });

    test("shows no value in a refusal", async () => {
      const { failures } = await plugin.check(command, { create: "true", environment: new Secret("KEY=hunter2") });
      expect(failures).not.toEqual([]);
      expect(JSON.stringify(failures)).not.toContain("hunter2");
    });

    test("accepts what is not known yet, and keeps secrets secret", async () => {
      const inputs = await checked({ create: unknown, environment: { A: unknown }, stdin: new Secret("hunter2") });
      expect(hasUnknown(inputs.create ?? null)).toBe(true);
      expect(hasSecret(inputs.stdin ?? null)).toBe(true);
    });
  });

  describe("create", () => {
    test("runs the command and keeps what it wrote, each stream without its last newline", async () => {
      const { id, outputs } = await created({ create: "printf 'one\\ntwo\\n\\n'; echo three >&2" });
      expect(id).toMatch(/^cmd/);
      expect(outputs).toMatchObject({ stdout: "one\ntwo\n", stderr: "three" });
    });

    test("without a command runs nothing", async () => {
      expect((await created({ delete: "true" })).outputs).toMatchObject({ stdout: "", stderr: "", delete: "true" });
    });

    test("gives each resource an id of its own", async () => {
      const [one, other] = [await created({ create: "true" }), await created({ create: "true" })];
      expect(one.id).not.toBe(other.id);
    });

    test("at preview runs nothing, and its output is not known", async () => {
      const inputs = await checked({ create: `touch ${file("ran")}`, environment: { A: unknown } });
      const { outputs } = await plugin.create(command, inputs, { preview: true });
      expect(hasUnknown(outputs.stdout ?? null) && hasUnknown(outputs.stderr ?? null)).toBe(true);
      expect(outputs.create).toBe(inputs.create);
      expect(existsSync(file("ran"))).toBe(false);
    });

    test("has /bin/sh as interpreter unless given one", async () => {
      expect((await created({ create: "echo $0" })).outputs.stdout).toMatch(/sh$/);
      const script = "console.log('from', process.argv.length)";
      const { outputs } = await created({ create: script, interpreter: [process.execPath, "-e"] });
      expect(outputs.stdout).toBe("from 1");
    });

    test("runs in the given folder, else where the plugin was started", async () => {
      expect((await created({ create: "pwd -P", dir: folder })).outputs.stdout).toBe(folder);
      expect((await created({ create: "pwd -P" })).outputs.stdout).toBe(realpathSync(process.cwd()));
    });

    test("adds to the plugin's own environment, and wins over it", async () => {
      const { outputs } = await created({
        create: 'echo "$HOME|$PATH|$EXTRA"',
        environment: { HOME: "/h", EXTRA: "a b" },
      });
      expect(outputs.stdout).toBe(`/h|${process.env.PATH}|a b`);
    });

    test("passes stdin, and an empty one where none is given", async () => {
      expect((await created({ create: "cat", stdin: "one\ntwo" })).outputs.stdout).toBe("one\ntwo");
      expect((await created({ create: "cat" })).outputs.stdout).toBe("");
    });

    test("a command need not read its stdin", async () => {
      const { outputs } = await created({ create: "exec true", stdin: "x".repeat(1_000_000) });
      expect(outputs.stdout).toBe("");
    });

    test("takes output beyond the limits of gRPC and of a line", async () => {
      const { outputs } = await created({ create: "head -c 5000000 /dev/zero | tr '\\0' x", logging: "none" });
      expect(String(outputs.stdout)).toHaveLength(5_000_000);
    });
  });

  describe("a command that fails", () => {
    test("is an error with its exit status, its command line and what it wrote", async () => {
      const create = "echo to-stdout; echo to-stderr >&2; exit 7";
      const error = await created({ create }).catch((thrown: Error) => thrown);
      expect(String(error)).toMatch(/exit status 7/);
      expect(String(error)).toContain("echo to-stdout;");
      expect(String(error)).toMatch(/\nto-stdout\n/);
      expect(String(error)).toMatch(/\nto-stderr\n/);
    });

    test("shows neither environment nor stdin", async () => {
      const failing = created({
        create: "cat >/dev/null; exit 1",
        environment: { KEY: new Secret("hunter2") },
        stdin: new Secret("correct horse"),
      });
      const error = await failing.catch((thrown: Error) => thrown);
      expect(String(error)).toMatch(/exit status 1/);
      expect(String(error)).not.toMatch(/hunter2|correct horse/);
    });

    test.each<[string, PropertyMap]>([
      ["a folder that is not there", { create: "true", dir: "/nonexistent/folder" }],
      ["an interpreter that is not there", { create: "true", interpreter: ["/nonexistent/interpreter"] }],
    ])("%s is named in the error", async (_, news) => {
      await expect(created(news)).rejects.toThrow(/\/nonexistent\/\w+/);
    });

    test("fails an update and a delete as well", async () => {
      const state = await created({ create: "true", update: "exit 3", delete: "exit 4" });
      await expect(updated(state, { ...state.inputs, stdin: "changed" })).rejects.toThrow(/exit status 3/);
      await expect(plugin.delete(command, state)).rejects.toThrow(/exit status 4/);
    });
  });

  describe("diff", () => {
    const arguments_: PropertyMap = {
      create: "true",
      environment: { A: "1", B: "2" },
      triggers: ["1", { revision: 3 }],
    };

    test("unchanged arguments are no difference", async () => {
      expect((await diffTo(await created(arguments_), arguments_)).changes).toBe("none");
    });

    test.each<[string, PropertyMap, string]>([
      ["another create", { create: "exit 0" }, "create"],
      ["an update where there was none", { update: "true" }, "update"],
      ["another value in the environment", { environment: { A: "1", B: "3" } }, "environment"],
      ["one variable less", { environment: { A: "1" } }, "environment"],
      ["a stdin", { stdin: "x" }, "stdin"],
      ["another logging", { logging: "none" }, "logging"],
    ])("%s is an update", async (_, change, property) => {
      const diff = await diffTo(await created(arguments_), { ...arguments_, ...change });
      expect(diff.changes).toBe("some");
      expect(diff.replaces).toEqual([]);
      expect(Object.keys(diff.detailed)).toEqual([expect.stringMatching(new RegExp(`^${property}`))]);
    });

    test.each<[string, PropertyMap]>([
      ["another trigger", { triggers: ["2", { revision: 3 }] }],
      ["a change inside a trigger", { triggers: ["1", { revision: 4 }] }],
      ["one trigger more", { triggers: ["1", { revision: 3 }, "new"] }],
      ["a trigger that is not known yet", { triggers: [unknown, { revision: 3 }] }],
    ])("%s is a replacement", async (_, change) => {
      const diff = await diffTo(await created(arguments_), { ...arguments_, ...change });
      expect(diff.changes).toBe("some");
      expect(diff.replaces).toEqual(["triggers"]);
      expect(diff.deleteBeforeReplace).toBe(false);
    });
  });

  describe("update", () => {
    test("runs the update command", async () => {
      const state = await created({ create: "echo created", update: "echo updated $N", environment: { N: "1" } });
      const next = await updated(state, { ...state.inputs, environment: { N: "2" } });
      expect(next.outputs).toMatchObject({ stdout: "updated 2", environment: { N: "2" } });
    });

    test("runs create where there is no update command", async () => {
      const state = await created({ create: "echo created $N", environment: { N: "1" } });
      expect((await updated(state, { ...state.inputs, environment: { N: "2" } })).outputs.stdout).toBe("created 2");
    });

    test("keeps the old output where there is no command at all", async () => {
      const state = await created({ create: "echo kept" });
      expect((await updated(state, { delete: "true" })).outputs.stdout).toBe("kept");
    });

    test("tells the command what the last run wrote, unless told not to", async () => {
      const state = await created({ create: "echo out; echo err >&2" });
      const update = 'echo "<$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR>"';
      expect((await updated(state, { update })).outputs.stdout).toBe("<out|err>");
      expect((await updated(state, { update, addPreviousOutputInEnv: false })).outputs.stdout).toBe("<|>");
    });

    test("at preview runs nothing, and its output is not known", async () => {
      const state = await created({ create: "echo one" });
      const news = await checked({ create: `touch ${file("ran")}` }, state.inputs);
      const { outputs } = await plugin.update(command, state, news, { preview: true });
      expect(hasUnknown(outputs.stdout ?? null)).toBe(true);
      expect(existsSync(file("ran"))).toBe(false);
    });
  });

  test("a refresh finds no drift", async () => {
    const state = await created({ create: "echo one", environment: { KEY: new Secret("hunter2") } });
    const read = await plugin.read(command, state);
    expect(read?.id).toBe(state.id);
    expect(read?.outputs).toEqual(state.outputs);
    expect(
      read && (await diffTo(read, { create: "echo one", environment: { KEY: new Secret("hunter2") } })).changes,
    ).toBe("none");
  });

  describe("delete", () => {
    test("runs the delete command of the state, with the state's environment and output", async () => {
      const state = await created({
        create: "echo made",
        delete: 'echo "$N $PULUMI_COMMAND_STDOUT" > gone',
        dir: folder,
        environment: { N: "old" },
      });
      await plugin.delete(command, state);
      expect(readFileSync(file("gone"), "utf8")).toBe("old made\n");
    });

    test("without a command runs nothing", async () => {
      await expect(plugin.delete(command, await created({ create: "true" }))).resolves.toBeUndefined();
    });
  });

  describe("secrets", () => {
    const secretive: PropertyMap = {
      create: `cat >/dev/null; echo $$ > pid; while [ ! -e go ]; do sleep 0.05; done`,
      environment: { KEY: new Secret("hunter2-environment") },
      stdin: new Secret("hunter2-stdin"),
      logging: "none",
    };

    test("inputs that are secret are so among the outputs", async () => {
      const { outputs } = await created({
        create: "true",
        stdin: new Secret("x"),
        environment: new Secret({ A: "1" }),
      });
      expect(hasSecret(outputs.stdin ?? null)).toBe(true);
      expect(hasSecret(outputs.environment ?? null)).toBe(true);
      expect(hasSecret(outputs.create ?? null)).toBe(false);
    });

    test("do not make the output secret: only additionalSecretOutputs does", async () => {
      const { outputs } = await created({ create: "cat", stdin: new Secret("x") });
      expect(outputs.stdout).toBe("x");
    });

    (existsSync("/proc/self/cmdline") ? test : test.skip)(
      "are in no process's arguments while the command runs",
      async () => {
        const running = created({ ...secretive, dir: folder });
        await until(() => existsSync(file("pid")));
        const everything = readdirSync("/proc")
          .filter((entry) => /^\d+$/.test(entry))
          .map(commandLine)
          .join("\n");
        writeFileSync(file("go"), "");
        await running;
        expect(everything).toContain("while [ ! -e go ]"); // this is where it would be seen
        expect(everything).not.toContain("hunter2");
      },
    );

    test("are in no log", async () => {
      writeFileSync(file("go"), "");
      await created({ ...secretive, dir: folder, logging: "stdoutAndStderr" });
      expect(JSON.stringify(plugin.logs) + plugin.written).not.toContain("hunter2");
    });
  });

  describe("logging", () => {
    test.each([
      ["none", []],
      ["stdout", ["line out"]],
      ["stderr", ["line err"]],
      ["stdoutAndStderr", ["line err", "line out"]],
      [undefined, ["line err", "line out"]],
    ])("%s shows %j at the resource", async (logging, expected) => {
      const named = { ...command, name: `logs-${logging}` };
      const inputs = await checked({ create: "echo line out; echo line err >&2", ...(logging && { logging }) });
      await plugin.create(named, inputs);
      const shown = plugin.logs.filter((line) => line.urn === urnOf(named));
      expect(shown.map((line) => line.message).sort()).toEqual(expected);
      expect(shown.every((line) => line.severity === "info")).toBe(true);
    });

    test("shows lines while the command still runs", async () => {
      const running = created({ create: "echo early bird; while [ ! -e go ]; do sleep 0.05; done", dir: folder });
      await until(() => plugin.logs.some((line) => line.message === "early bird"));
      writeFileSync(file("go"), "");
      await running;
    });
  });

  describe("a plugin that ends", () => {
    let own: Plugin;
    beforeEach(async () => {
      own = await Plugin.start("command");
    });
    afterEach(() => own.stop());

    /** A command that tells its process id and then waits to be ended. */
    const endless = (name: string): PropertyMap => ({
      create: `echo $$ > ${name}; exec sleep 1000`,
      dir: folder,
      logging: "none",
    });

    test("on cancel, the command is killed and its call fails", async () => {
      const running = own.create(command, endless("pid")).catch((error: Error) => error);
      const pid = await pidIn(file("pid"));
      await own.cancel();
      expect(String(await running)).toMatch(/killed|cancel/i);
      await until(() => !alive(pid));
    });

    test("at the end of an update, nothing is left of a command that still ran", async () => {
      const running = own.create(command, endless("pid")).catch((error: Error) => error);
      const pid = await pidIn(file("pid"));
      await own.stop();
      await running;
      await until(() => !alive(pid));
    });

    // the official plugin outlives the engine until it notices
    (official ? test.skip : test)("with the engine killed, it goes and takes the command along", async () => {
      const running = own.create(command, endless("pid")).catch((error: Error) => error);
      const pid = await pidIn(file("pid"));
      await own.abandon();
      await running;
      await until(() => !alive(pid));
    });

    test("killed in the middle of a create, it fails the call, and the next process can create anew", async () => {
      const running = own.create(command, endless("pid")).catch((error: Error) => error);
      const pid = await pidIn(file("pid"));
      await own.kill();
      expect(await running).toBeInstanceOf(Error);
      process.kill(pid, "SIGKILL"); // nobody was left to do it
      expect((await created({ create: "echo again" })).outputs.stdout).toBe("again");
    });

    test("killed, it leaves a state that the next process understands", async () => {
      const { inputs } = await own.check(command, { create: "echo one", delete: "touch gone", dir: folder });
      const state = await own.create(command, inputs);
      await own.kill();
      expect((await diffTo(state, state.inputs)).changes).toBe("none");
      await plugin.delete(command, state);
      expect(existsSync(file("gone"))).toBe(true);
    });

    test("a background process of a session of its own with all descriptors redirected outlives it, until its lease ends", async () => {
      writeFileSync(file("lease"), "");
      const { outputs } = await own.create(command, {
        create:
          "setsid sh -c 'echo $$ > pid; while [ -e lease ]; do sleep 0.05; done' </dev/null >/dev/null 2>&1 & echo started",
        dir: folder,
        logging: "none",
      });
      expect(outputs.stdout).toBe("started");
      const pid = await pidIn(file("pid"));
      await own.stop();
      expect(alive(pid)).toBe(true);
      rmSync(file("lease"));
      await until(() => !alive(pid));
    });

    test("a background process that keeps the command's stdout is waited for", async () => {
      writeFileSync(file("lease"), "");
      const running = own.create(command, {
        create: "(while [ -e lease ]; do sleep 0.05; done; echo last words; touch over) & echo started; touch ready",
        dir: folder,
        logging: "none",
      });
      await until(() => existsSync(file("ready")));
      rmSync(file("lease"));
      expect((await running).outputs.stdout).toBe("started\nlast words");
      expect(existsSync(file("over"))).toBe(true);
    });
  });

  test("refuses a type it does not know, and names it", async () => {
    await expect(plugin.check({ type: "command:local:Teapot", name: "pot" }, {})).rejects.toThrow(/Teapot/);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The process id in a file that a command writes. */
async function pidIn(name: string): Promise<number> {
  const read = () => (existsSync(name) ? readFileSync(name, "utf8") : "");
  await until(() => read().endsWith("\n"));
  return Number(read());
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // gone in between
  }
}

/** Waits for something that must come; the test's own time limit ends the wait for what does not. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
