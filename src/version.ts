import { version } from '../package.json'

/** Of this program; package.json is where it is written. */
export const VERSION: string = version
