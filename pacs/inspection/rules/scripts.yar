rule unix_script {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "the first line of a Unix script"
  strings:
    $shell = "#!/bin/"
    $other = "#!/usr/"
  condition:
    for any of them : ( # > 0 and ( uint8(@ + 7) >= 0x61 and uint8(@ + 7) <= 0x7A and uint8(@ + 8) >= 0x61 and uint8(@ + 8) <= 0x7A ) )
}

rule windows_script {
  meta:
    code = "script-content"
    place = "outside-text"
    text = "calls of a Windows script"
  strings:
    $host = "WScript.Shell" ascii wide nocase
    $network = "MSXML2.XMLHTTP" ascii wide nocase
    $stream = "ADODB.Stream" ascii wide nocase
    $power = "powershell.exe" ascii wide nocase
    $encoded = "-EncodedCommand " ascii wide nocase
    $register = "regsvr32.exe" ascii wide nocase
    $application = "<hta:application" ascii wide nocase
  condition:
    any of them
}
