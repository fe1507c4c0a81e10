rule windows_shortcut {
  meta:
    code = "shortcut-content"
    place = "anywhere"
    text = "the header of a Windows shortcut"
  strings:
    $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
    $text = "TAAAAAEUAgAAAAAAwAAAAAAAAEY"
  condition:
    any of them
}

rule autorun_file {
  meta:
    code = "shortcut-content"
    place = "outside-text"
    text = "the instructions of an autorun file"
  strings:
    // Whatever stands between the heading and the first instruction: Windows reads over it.
    $open = /\[autorun(\.[a-z0-9]{1,12})?\][ \t]{0,8}\r?\n/ nocase
    $wide = /\[\x00a\x00u\x00t\x00o\x00r\x00u\x00n\x00\]\x00\r\x00\n\x00/ nocase
  condition:
    any of them
}

rule folder_file {
  meta:
    code = "shortcut-content"
    place = "outside-text"
    text = "a file that changes how Windows shows a folder or where a click leads"
  strings:
    $desktop = /\[\.ShellClassInfo\][ \t]{0,8}\r?\n/ ascii wide nocase
    $internet = /\[InternetShortcut\][ \t]{0,8}\r?\n/ ascii wide nocase
    $command = /\[Shell\][ \t]{0,8}\r?\nCommand ?= ?[0-9]/ nocase
    $setup = /\[(DefaultInstall|DefaultInstall_SingleUser)\][ \t]{0,8}\r?\n/ nocase
    $remote = "\nalternate shell:s:" ascii wide nocase
    $remote2 = "\nfull address:s:" ascii wide nocase
    $remote3 = "\nremoteapplicationprogram:s:" ascii wide nocase
    $registry = /Windows Registry Editor Version 5\.00[ \t]{0,8}\r?\n|REGEDIT4\r?\n[ \t\r\n]{0,8}\[/
    $registryWide = "Windows Registry Editor Version 5.00" wide
    $library = "<libraryDescription xmlns" nocase
    $search = "<persistedQuery version" nocase
    $settings = /<PCSettings>\s{0,40}<SearchableContent/ nocase
    $task = "schemas.microsoft.com/windows/2004/02/mit/task" ascii wide nocase
    $console = /<MMC_Console[F]ile/ ascii wide
    $java = /<jnlp[ \t\r\n][^>\x00]{0,200}(spec|codebase|href) ?=/ nocase
    $query = /WEB\r?\n1\r?\nhttps?:\/\//
    $table = /\nNN;NAuto_?open/ nocase
    $profile = /<key>Payload[C]ontent<\/key>/
    $deployment = /<deployment [^>\x00]{0,200}install ?=/ nocase
  condition:
    any of them
}

rule unix_launcher {
  meta:
    code = "shortcut-content"
    place = "outside-text"
    text = "a launcher or a service of a Unix desktop"
  strings:
    $entry = /\[Desktop Entry\][^\x00]{0,2000}\nExec ?= ?[a-z\/"]/ nocase
    $service = /\[Service\][^\x00]{0,1000}\nExecStart ?= ?[a-z\/@+-]/
    $daemon = /<key>ProgramArguments<\/key>\s{0,40}<array>/
  condition:
    any of them
}
