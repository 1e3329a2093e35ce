import { render, UserError } from "../../../components/userError.ts";

const problem = {
  key: "wirecloak:ipsec.keyId",
  value: 16,
  message: "16 is out of range.",
  allowed: "1 to 15",
  fix: "pulumi config set --path wirecloak:ipsec.keyId 3",
};

test("a problem is one block: key and value, what is wrong, what is allowed, the command that mends it", () => {
  expect(render([problem])).toBe(
    [
      "wirecloak:ipsec.keyId = 16",
      "    16 is out of range.",
      "    allowed: 1 to 15",
      "    fix:     pulumi config set --path wirecloak:ipsec.keyId 3",
    ].join("\n"),
  );
});

test("what a problem does not know is left out", () => {
  expect(render([{ key: "docker", message: "It does not answer." }])).toBe("docker\n    It does not answer.");
});

test("problems are apart by an empty line, and the error's message holds all of them", () => {
  expect(new UserError([problem, { key: "docker", message: "No." }]).message).toMatch(/keyId 3\n\ndocker\n/);
});

test("a user sees no stack", () => {
  expect(new UserError([problem]).stack).not.toContain("userError.test");
});

test("a pasted file is not shown whole", () => {
  expect(render([{ ...problem, value: "x".repeat(10_000) }]).length).toBeLessThan(500);
});
