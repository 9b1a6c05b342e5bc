# A file in place of a video shows no frame of any other file: what names others is refused by what
# it is, and a name with a % is a name.
i3d doctor >doctor || skip 'this program cannot read videos'
i3d synth v --classes 2 --videos-per-class 2 --frames 8 --size 48 --quiet >report
secret=$PWD/v/up/up_g01_c01.avi
command -v ffmpeg >/dev/null && ffmpeg -v error -i $secret -c copy secret.ts
mkdir -p bad/a pictures
i3d frames v pictures --quiet >report

printf 'ffconcat version 1.0\nfile %s\n' "$secret" >bad/a/concat.avi
printf '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://%s\n#EXT-X-ENDLIST\n' \
    "$PWD/secret.ts" >bad/a/hls.avi
cat >bad/a/dash.avi <<END
<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"
    profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet mimeType="video/mp4">
<Representation id="1" bandwidth="1"><BaseURL>file://$secret</BaseURL></Representation>
</AdaptationSet></Period></MPD>
END
printf 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n' \
    >bad/a/sdp.avi
printf '\033[2Jtext\n' >bad/a/text.ans
cp pictures/up/up_g01_c01/image_0000*.jpg bad/a
mkdir good good/a
cp "$secret" 'good/a/image_%05d.avi'
cp "$secret" 'good/a/image_%05d.jpg.avi'
# A list of pictures by its pattern: there is no file of that name.
fails 1 "cannot open 'bad/a/image_%05d.jpg': No such file" \
    i3d flow --visualize 'bad/a/image_%05d.jpg' out.mp4

rm bad/a/image*
fails 1 '5 of 5 videos were left out' timeout 20 "$I3D" frames bad rgb
for kind in concat hls dash sdp; do
    grep -q "'bad/a/$kind.avi' is of the format '$kind' .* give those" stderr
done
same '' "$(ls -A rgb | grep -v '^\.lock$\|failures.csv' | xargs -I{} ls -A rgb/{})"

# The names are names: each gives the video's 8 frames.
i3d frames good named --quiet >report
grep -q '^frames: 16$' report
same 'image_%05d image_%05d.jpg' "$(ls named/a | xargs)"
