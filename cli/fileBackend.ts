/**
 * A folder as Pulumi's backend. Without the files of attributes beside each object, which nothing reads, and which are not written
 * in one piece as the objects are: an update killed there leaves a stack that no Pulumi opens ("failed to load checkpoint: EOF").
 */
export function fileBackend(folder: string): string {
  return `file://${folder}?metadata=skip`;
}
