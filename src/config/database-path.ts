import { resolve } from 'node:path'

/** The absolute path of a `sqlite://` setting; a relative one starts from the folder. */
export function databasePath(setting: string, folder: string): string {
  return resolve(folder, setting.slice('sqlite://'.length))
}
