import { userInfo } from 'node:os'

/** The name in the system of whoever gives the command, for the record. */
export function whoAsks(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return 'unknown'
  }
}
