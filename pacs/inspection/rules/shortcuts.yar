rule windows_shortcut {
  meta:
    code = "shortcut-content"
    place = "anywhere"
    text = "the header of a Windows shortcut"
  strings:
    $header = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
  condition:
    $header
}

rule autorun_file {
  meta:
    code = "shortcut-content"
    place = "outside-text"
    text = "the instructions of an autorun file"
  strings:
    $section = "[autorun]" nocase
    $open = /\n\s{0,8}(open|shellexecute)\s{0,8}=/ nocase
  condition:
    $section and $open
}
