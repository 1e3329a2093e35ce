import { RefusedError } from "../clusterApi.ts";

/** The answer, or why the API server refused: who may not read everything learns the rest. */
export async function answered<T>(asked: Promise<T>): Promise<{ answer: T } | { refused: string }> {
  try {
    return { answer: await asked };
  } catch (error) {
    if (error instanceof RefusedError) return { refused: error.message };
    throw error;
  }
}
