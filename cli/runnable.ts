/** Text with the commands that mend a setting as they run in this checkout: Pulumi need not be on PATH, nor the right stack be selected. */
export function runnable(text: string, stack: string): string {
  return text.replaceAll(/(?<!wirecloak )pulumi config (?=set|rm)/g, `./bin/wirecloak pulumi -s ${stack} config `);
}
