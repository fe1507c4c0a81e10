rule windows_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a Windows program (PE)"
  strings:
    // Signature, machine, up to 255 sections, size of the optional header, and its magic: what a loader checks.
    $header = { 50 45 00 00 ( 4C 01 | 64 86 | 64 AA | C0 01 | C4 01 | 41 A6 | 4E A6 ) ?? 00 [12] ?? 00 [2] ( 0B 01 | 0B 02 ) }
    $stub = /This program cannot be[ ]run in DOS mode/
  condition:
    any of them
}

rule linux_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a Linux program (ELF)"
  strings:
    $little = { 7F 45 4C 46 ( 01 | 02 ) 01 ?? ?? [8] ( 01 | 02 | 03 ) 00 ( 03 | 08 | 28 | 3E | B7 | F3 | 02 | 15 ) ( 00 | 01 ) 01 00 00 00 }
    $big = { 7F 45 4C 46 ( 01 | 02 ) 02 ?? ?? [8] 00 ( 01 | 02 | 03 ) ( 00 | 01 ) ?? 00 00 00 01 }
  condition:
    any of them
}

rule macos_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a macOS program (Mach-O)"
  strings:
    $little = { ( CE | CF ) FA ED FE ( 07 | 0C | 12 ) 00 00 ( 00 | 01 | 02 ) [4] ( 01 | 02 | 06 | 08 | 0B ) 00 00 00 }
    $big = { FE ED FA ( CE | CF ) ( 00 | 01 | 02 ) 00 00 ( 07 | 0C | 12 ) [4] 00 00 00 ( 01 | 02 | 06 | 08 | 0B ) }
    $universal = { CA FE BA ( BE | BF ) 00 00 00 ( 01 | 02 | 03 | 04 | 05 ) ( 00 | 01 ) 00 00 ( 07 | 0C | 12 ) 00 00 00 }
  condition:
    any of them
}

rule other_executable {
  meta:
    code = "executable-content"
    place = "anywhere"
    text = "the header of a Java class, an Android program or a WebAssembly module"
  strings:
    $java = { CA FE BA BE 00 00 00 ( 2D | 2E | 2F | 30 | 31 | 32 | 33 | 34 | 35 | 36 | 37 | 38 | 39 | 3A | 3B | 3C | 3D | 3E | 3F | 40 | 41 | 42 | 43 | 44 | 45 | 46 ) 00 }
    $dalvik = { 64 65 78 0A 30 33 ( 35 | 36 | 37 | 38 | 39 ) 00 }
    $wasm = { 00 61 73 6D 01 00 00 00 }
  condition:
    any of them
}
