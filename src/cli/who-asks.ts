import { userInfo } from 'node:os'

/** The name in the system of whoever gives the command, for the record. */
export function whoAsks(): string {
  try {
    const { username, uid } = userInfo()
    // A container, a timer or a service manager may run it under a number, or without naming it.
    return username === '' || username === 'unknown' ? `uid ${uid}` : username
  } catch {
    return 'unknown'
  }
}
