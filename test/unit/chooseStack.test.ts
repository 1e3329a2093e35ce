import { chooseName } from "../../cli/chooseStack.ts";
import { splitStack } from "../../cli/pulumi.ts";
import { runnable } from "../../cli/runnable.ts";

describe("the stack that nobody named", () => {
  const rehearsal = { name: "rehearsal", provider: "rehearsal" } as const;
  const dev = { name: "dev", provider: "kind" } as const;
  const bare = { existing: [], noDocker: "docker is not installed" };

  test("is kind's where Docker answers", () => {
    expect(chooseName("up", { ...bare, noDocker: undefined }).name).toBe("dev");
  });

  test("is the rehearsal where it does not, and the reason is told", () => {
    const { name, why } = chooseName("up", bare);
    expect(name).toBe("rehearsal");
    expect(why).toContain("docker is not installed");
  });

  test("is never the rehearsal where a kind stack of this checkout exists, though Docker is down now", () => {
    expect(chooseName("up", { ...bare, existing: [rehearsal, dev] }).name).toBe("dev");
  });

  test("is the existing one for every command but up", () => {
    const rehearsed = { existing: [rehearsal], noDocker: undefined };
    expect(chooseName("other", rehearsed).name).toBe("rehearsal");
    expect(chooseName("up", rehearsed).name).toBe("dev");
  });

  test("is never one in a cloud: down without a name would take it away", () => {
    const paidFor = { name: "prod", provider: "eks" } as const;
    expect(chooseName("other", { ...bare, existing: [paidFor] }).name).toBe("rehearsal");
    expect(chooseName("other", { ...bare, existing: [paidFor, rehearsal] }).name).toBe("rehearsal");
    const misspelt = { name: "prod", provider: undefined };
    expect(chooseName("other", { ...bare, existing: [misspelt] }).name).toBe("rehearsal");
  });
});

describe("the stack among Pulumi's own arguments", () => {
  test.each([
    [["preview", "--stack", "prod", "--diff"], "prod", ["preview", "--diff"]],
    [["destroy", "--stack=prod"], "prod", ["destroy"]],
    [["-s", "prod", "config", "get", "a"], "prod", ["config", "get", "a"]],
    [["up", "-sprod"], "prod", ["up"]],
    [["up", "-s=prod"], "prod", ["up"]],
    [["config", "set", "a", "--", "-s"], undefined, ["config", "set", "a", "--", "-s"]],
    [["preview", "--show-sames", "--suppress-outputs"], undefined, ["preview", "--show-sames", "--suppress-outputs"]],
  ])("%j", (words, asked, args) => {
    expect(splitStack(words)).toEqual(asked === undefined ? { args } : { asked, args });
  });

  test.each([[["destroy", "--stack"]], [["destroy", "--stack="]]])(
    "%j names none, which is not the one of ours",
    (words) => {
      expect(splitStack(words)).toEqual({ asked: "", args: ["destroy"] });
    },
  );
});

describe("a command that mends a setting", () => {
  test("goes to this checkout's Pulumi, and to the stack that it is about", () => {
    expect(runnable("pulumi config rm a && pulumi config set --path a.b 1", "prod")).toBe(
      "./bin/wirecloak pulumi -s prod config rm a && ./bin/wirecloak pulumi -s prod config set --path a.b 1",
    );
  });

  test("stays as it is where it is so already", () => {
    const fix = "./bin/wirecloak pulumi -s prod config set a 1";
    expect(runnable(fix, "prod")).toBe(fix);
    expect(runnable("./bin/wirecloak pulumi config set a 1", "prod")).toBe("./bin/wirecloak pulumi config set a 1");
  });
});
