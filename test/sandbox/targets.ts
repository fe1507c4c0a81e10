/** What the attempts are tried at. All of it exists, so that an attempt fails because of the sandbox and for no other reason. */
export interface Targets {
  readonly secret: string;
  readonly otherArea: string;
  readonly link: string;
  readonly database: string;
  readonly written: string;
  readonly temporary: string;
  readonly readOnly: string;
  readonly program: string;
  readonly pid: number;
  readonly port: number;
  readonly socket: string;
}
