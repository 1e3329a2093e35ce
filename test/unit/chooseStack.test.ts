import { chooseName } from "../../cli/chooseStack.ts";

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
