import { splitStack } from "../../../cli/pulumi.ts";

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
    expect(splitStack(words)).toEqual({ asked, args });
  });

  test.each([[["destroy", "--stack"]], [["destroy", "--stack="]]])(
    "%j names none, which is not the one of ours",
    (words) => {
      expect(splitStack(words)).toEqual({ asked: "", args: ["destroy"] });
    },
  );
});
