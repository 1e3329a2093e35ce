import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answers } from "./answers.ts";

/** An AWS CLI that answers with recorded JSON, or refuses in its own words; `asked` reads what it was told. */
export function fakeAws(
  folder: string,
  answers: Answers | { refuses: string },
): { path: string; asked: () => string[] } {
  const path = join(folder, "aws-bin");
  mkdirSync(path, { recursive: true });
  const log = join(path, "asked");
  writeFileSync(log, "");
  const told = (name: keyof Answers) => {
    if ("refuses" in answers) return `echo ${JSON.stringify(answers.refuses)} >&2; exit 254`;
    const file = join(path, `${name}.json`);
    writeFileSync(file, JSON.stringify(answers[name]));
    return `cat "${file}"`;
  };
  const script = `#!/bin/sh
echo "$*" >>"${log}"
case "$*" in
*" describe-security-groups "*tag:wirecloak:cluster*) ${told("ours")} ;;
*" describe-security-groups "*tag:aws:eks:cluster-name*) ${told("theirs")} ;;
*" describe-security-group-rules "*) ${told("rules")} ;;
*" describe-instances "*) ${told("instances")} ;;
*) echo "not known: $*" >&2; exit 252 ;;
esac
`;
  writeFileSync(join(path, "aws"), script, { mode: 0o755 });
  return { path, asked: () => readFileSync(log, "utf8").trim().split("\n") };
}
