/** Operating system and processor in Go's words, which nearly every vendor of these tools uses. */
export interface Platform {
  os: string;
  arch: string;
}

export function platformOf(os: string = process.platform, arch: string = process.arch): Platform {
  return { os, arch: arch === "x64" ? "amd64" : arch };
}

export function platformKey({ os, arch }: Platform): string {
  return `${os}-${arch}`;
}
