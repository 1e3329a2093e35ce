import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, projectRoot, stateDir } from "../../tools/paths.ts";
import { scratchFolder } from "./tools-fixtures.ts";

describe("the cache is shared by all checkouts of a user", () => {
  test.each([
    ["the project's own variable wins", { WIRECLOAK_CACHE_DIR: "/c", XDG_CACHE_HOME: "/x", HOME: "/h" }, "/c"],
    ["then the desktop's convention", { XDG_CACHE_HOME: "/x", HOME: "/h" }, "/x/wirecloak"],
    [
      "a relative XDG path is ignored, as its specification says",
      { XDG_CACHE_HOME: "x", HOME: "/h" },
      "/h/.cache/wirecloak",
    ],
    ["then the home folder", { HOME: "/h" }, "/h/.cache/wirecloak"],
    ["an empty variable counts as unset", { WIRECLOAK_CACHE_DIR: "", HOME: "/h" }, "/h/.cache/wirecloak"],
  ])("%s", (_rule, env, expected) => {
    expect(cacheDir(env)).toBe(expected);
  });
});

describe("the state belongs to one checkout", () => {
  const folder = scratchFolder();

  test("its folder ends in 12 hexadecimal digits under the state home", () => {
    expect(stateDir({ HOME: "/h" }, folder)).toMatch(/^\/h\/\.local\/state\/wirecloak\/[0-9a-f]{12}$/);
    expect(stateDir({ HOME: "/h", XDG_STATE_HOME: "/s" }, folder)).toMatch(/^\/s\/wirecloak\/[0-9a-f]{12}$/);
  });

  test("a symlink to a checkout finds the same state, another checkout does not", () => {
    const link = join(scratchFolder(), "link");
    symlinkSync(folder, link);
    expect(stateDir({ HOME: "/h" }, link)).toBe(stateDir({ HOME: "/h" }, folder));
    expect(stateDir({ HOME: "/h" }, projectRoot)).not.toBe(stateDir({ HOME: "/h" }, folder));
  });

  test("the project's own variable is taken as it is", () => {
    expect(stateDir({ WIRECLOAK_STATE_DIR: "/mine", HOME: "/h" }, folder)).toBe("/mine");
  });
});
