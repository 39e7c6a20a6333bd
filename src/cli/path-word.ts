import { shellWord } from '../broker/index.ts'

/** A path as one word of a command that can be pasted into a shell; one that begins with a dash is no option there. */
export function pathWord(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path)
}
