import { runnable } from "../../../cli/runnable.ts";

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
