export function packageChart(_v: string[], _out?: string): void {}
