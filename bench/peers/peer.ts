/** What a peer needs, and what it can then do. */
export interface PeerSetting {
  readonly name: string;
  /** Where the packages are installed. */
  readonly packages: string;
  readonly codexPath: string;
  readonly model: string;
  /** Of the offline backend, for what does not go through Codex. */
  readonly backendUrl: string;
  readonly userHome: string;
  readonly workDirectory: string;
  /** The whole environment of a Codex process. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Peer {
  /** The answer's text. */
  answer(prompt: string): Promise<string>;
  close(): Promise<void>;
}

export type OpenPeer = (setting: PeerSetting) => Promise<Peer>;
