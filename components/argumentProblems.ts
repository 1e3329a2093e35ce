import type { Problem } from "./userError.ts";

/** A key in a command: bare, or in quotes. */
const KEY = `(?:'([^']+)'|"([^"]+)"|(\\S+))`;

/** What texts for users of stack config say, and what is so for a program that gives arguments; in this order. */
const WORDS: readonly [RegExp, string][] = [
  [new RegExp(`pulumi config set (?:--path )?${KEY} ('[^']*'|[^\\s,]+)`, "g"), "set $1$2$3 to $4"],
  [new RegExp(`pulumi config rm (?:--path )?${KEY}`, "g"), "leave out $1$2$3"],
  [/make up STACK=rehearsal/g, "set cluster.provider to rehearsal"],
  [/make up STACK=dev\b/g, "set cluster.provider to kind"],
  [/make tools(?:.*so does make up)?/g, "make -C node_modules/wirecloak tools   # gets them, and says where they are"],
  [/make up(?: REPLACE=1)?/g, "pulumi up"],
  [/make down/g, "pulumi destroy"],
  [/make doctor/g, "mend that"],
  [/\.\/bin\/(?=setup)/g, "node_modules/wirecloak/bin/"],
  [/\.\/bin\/wirecloak rotate/g, "the next id as ipsec.keyId"],
  [/ && /g, ", then "],
  [/YAML read the version as the number/g, "The version is the number"],
  [/ in the YAML file/g, ""],
  [/\bconfig is not the place/g, "a program is not the place"],
  [/\bin config\b/g, "here"],
  [/\bwirecloak:(?=[a-z])/g, ""],
];

/** A problem with a setting as one with an argument: by the argument's name, and without commands that set stack config. */
export function asArgument({ key, message, allowed, fix, ...rest }: Problem): Problem {
  return {
    ...rest,
    key: reworded(key),
    message: reworded(message),
    ...(allowed !== undefined && { allowed: reworded(allowed) }),
    ...(fix !== undefined && { fix: reworded(fix) }),
  };
}

function reworded(text: string): string {
  return WORDS.reduce((said, [theirs, ours]) => said.replace(theirs, ours), text);
}
